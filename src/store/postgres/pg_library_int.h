// libpq, loaded when somebody connects: it brings thirty libraries, and half of the time that a short command takes is
// theirs. Private to store/postgres. Any thread.
#pragma once
#include <libpq-fe.h>

#include "base/error.h"

// What is used of it. Adding a function: here, and among the names below.
// clang-format off
#define PG_LIBRARY_FUNCTIONS(F) \
    F(PQbackendPID) F(PQclear) F(PQcmdStatus) F(PQcmdTuples) F(PQconnectPoll) F(PQconnectStartParams) \
    F(PQconnectionNeedsPassword) \
    F(PQconninfoFree) F(PQconninfoParse) F(PQconsumeInput) F(PQdb) F(PQenterPipelineMode) F(PQerrorMessage) \
    F(PQexec) F(PQexecParams) F(PQexitPipelineMode) F(PQfinish) F(PQflush) F(PQfname) F(PQfreemem) F(PQftype) \
    F(PQgetCopyData) F(PQgetResult) F(PQgetisnull) F(PQgetvalue) F(PQhost) F(PQisBusy) F(PQnfields) F(PQntuples) \
    F(PQpipelineStatus) F(PQpipelineSync) F(PQport) F(PQputCopyData) F(PQputCopyEnd) F(PQresultErrorField) \
    F(PQresultStatus) F(PQsendDescribePrepared) F(PQsendFlushRequest) F(PQsendPrepare) F(PQsendQuery) \
    F(PQsendQueryParams) F(PQserverVersion) F(PQsetErrorVerbosity) F(PQsetNoticeReceiver) F(PQsetnonblocking) \
    F(PQsocket) F(PQstatus) F(PQtransactionStatus) F(PQuser)
// clang-format on

typedef struct pg_functions {
#define MEMBER(name) __typeof__(name) *name;
    PG_LIBRARY_FUNCTIONS(MEMBER)
#undef MEMBER
} pg_functions;
extern pg_functions pg_library;

// Before anything else of it is called. DS_ENV: it is not there.
ds_rc pg_library_load(ds_error *err);

#define PQbackendPID pg_library.PQbackendPID
#define PQclear pg_library.PQclear
#define PQcmdStatus pg_library.PQcmdStatus
#define PQcmdTuples pg_library.PQcmdTuples
#define PQconnectPoll pg_library.PQconnectPoll
#define PQconnectStartParams pg_library.PQconnectStartParams
#define PQconnectionNeedsPassword pg_library.PQconnectionNeedsPassword
#define PQconninfoFree pg_library.PQconninfoFree
#define PQconninfoParse pg_library.PQconninfoParse
#define PQconsumeInput pg_library.PQconsumeInput
#define PQdb pg_library.PQdb
#define PQenterPipelineMode pg_library.PQenterPipelineMode
#define PQerrorMessage pg_library.PQerrorMessage
#define PQexec pg_library.PQexec
#define PQexecParams pg_library.PQexecParams
#define PQexitPipelineMode pg_library.PQexitPipelineMode
#define PQfinish pg_library.PQfinish
#define PQflush pg_library.PQflush
#define PQfname pg_library.PQfname
#define PQfreemem pg_library.PQfreemem
#define PQftype pg_library.PQftype
#define PQgetCopyData pg_library.PQgetCopyData
#define PQgetResult pg_library.PQgetResult
#define PQgetisnull pg_library.PQgetisnull
#define PQgetvalue pg_library.PQgetvalue
#define PQhost pg_library.PQhost
#define PQisBusy pg_library.PQisBusy
#define PQnfields pg_library.PQnfields
#define PQntuples pg_library.PQntuples
#define PQpipelineStatus pg_library.PQpipelineStatus
#define PQpipelineSync pg_library.PQpipelineSync
#define PQport pg_library.PQport
#define PQputCopyData pg_library.PQputCopyData
#define PQputCopyEnd pg_library.PQputCopyEnd
#define PQresultErrorField pg_library.PQresultErrorField
#define PQresultStatus pg_library.PQresultStatus
#define PQsendDescribePrepared pg_library.PQsendDescribePrepared
#define PQsendFlushRequest pg_library.PQsendFlushRequest
#define PQsendPrepare pg_library.PQsendPrepare
#define PQsendQuery pg_library.PQsendQuery
#define PQsendQueryParams pg_library.PQsendQueryParams
#define PQserverVersion pg_library.PQserverVersion
#define PQsetErrorVerbosity pg_library.PQsetErrorVerbosity
#define PQsetNoticeReceiver pg_library.PQsetNoticeReceiver
#define PQsetnonblocking pg_library.PQsetnonblocking
#define PQsocket pg_library.PQsocket
#define PQstatus pg_library.PQstatus
#define PQtransactionStatus pg_library.PQtransactionStatus
#define PQuser pg_library.PQuser
