"""The model in git, and how it grows: each change is a pull request from the branch of the team that owns it."""
import copy
import json
import os
import subprocess

from oracle import Wrong

REPOSITORY = "harbour/model"


def document(kind, name, **fields):
    return {"kind": kind, "name": name, **fields}


class Ecosystem:
    """documents: {(kind, name): document} as main has them. Each is a file of its own; JSON is YAML."""

    def __init__(self, world):
        self.world, self.documents, self.pulls = world, {}, 0
        self.repository, self.models = world.dir / "model.git", world.dir / "models"
        home = world.dir / "home"
        home.mkdir()
        self.env = {
            **os.environ, "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "a",
            "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"
        }
        for name in [name for name in self.env if name.startswith("GIT_DIR") or name == "GIT_WORK_TREE"]:
            del self.env[name]
        self.git("init", "-q", "-b", "main", str(self.repository), within=False)
        self.git("commit", "-q", "--allow-empty", "-m", "nothing yet")
        self.model = None

    def git(self, *words, within=True):
        where = ["-C", str(self.repository)] if within else []
        return subprocess.run(["git", *where, *words], env=self.env, check=True, capture_output=True, text=True).stdout

    def __getitem__(self, path):
        kind, name = path.split(" ")
        return self.documents[kind, name]

    def pull(self, team, title, change, *, refused=None, approve=False, fork=None):
        """A pull request: change(documents) is made on the team's branch, and checked. Accepted, it is merged; the
        model as it is then lies in a directory of its own. With refused, a rule, that must be what stops it."""
        self.pulls += 1
        after = copy.deepcopy(self.documents)
        change(after)
        self.git("checkout", "-q", "-B", team, "main")
        for path in self.repository.glob("*.yaml"):
            path.unlink()
        for (kind, name), text in after.items():
            (self.repository / f"{kind}-{name}.yaml".lower()).write_text(
                json.dumps(text, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", title)
        result = self._check(team, approve, fork)
        errors = [d for d in result["diagnostics"] if d["severity"] == "error"]
        if refused:
            self._was_refused(title, refused, errors, result)
        elif result["result"]["verdict"] != "accepted":
            raise Wrong(f"pull request {self.pulls}, {title}: refused, with {errors}")
        else:
            self._merge(team, after)
            self.world.tell(f"pull request {self.pulls}: {title}; check: {_findings(result)}")
            if self.world.follows:
                self.world.wait_followed()
        self.git("checkout", "-q", "main")

    def _check(self, team, approve, fork):
        path, branch = (fork or f"{REPOSITORY}@{team}").split("@")
        words = [
            "--format", "json", "-C",
            str(self.repository), "check", "--base", "main", "--head", team, "--repository", path, "--branch", branch,
            *(["--approve", "breaking"] if approve else [])
        ]
        done = subprocess.run([*self.world.program, *words], capture_output=True, text=True, check=False)
        if done.returncode not in (0, 1):
            raise Wrong(f"check: exit {done.returncode}: {done.stderr}")
        return json.loads(done.stdout)

    def _was_refused(self, title, rule, errors, result):
        rules = {error["rule"] for error in errors}
        if result["result"]["verdict"] != "refused" or rule not in rules:
            raise Wrong(f"pull request {self.pulls}, {title}: {result['result']['verdict']} by {rules}, not by {rule}")
        first = next(error for error in errors if error["rule"] == rule)
        self.world.tell(f"pull request {self.pulls}: {title}; REFUSED: {first['message']} [{rule}]")

    def _merge(self, team, after):
        self.git("checkout", "-q", "main")
        self.git("merge", "-q", "--ff-only", team)
        self.documents = after
        model = self.models / f"{self.pulls:04d}"
        model.mkdir(parents=True)
        archive = subprocess.run(["git", "-C", str(self.repository), "archive", "main"], env=self.env, check=True,
                                 capture_output=True)
        subprocess.run(["tar", "-x", "-C", str(model)], input=archive.stdout, check=True)
        self.model = model

    # --- what the documents say

    def datasets(self, store):
        """{dataset: {column: type}} of a store, whoever makes it."""
        if ("Datastore", store) in self.documents:
            datasets = self.documents["Datastore", store]["datasets"]
        else:
            datasets = next(
                d["transformer"]["output"]["datasets"] for (kind, _), d in self.documents.items()
                if kind == "Workspace" and d.get("transformer", {}).get("output", {}).get("datastore") == store)
        return {
            name: {
                column: kind if isinstance(kind, str) else kind["type"]
                for column, kind in dataset["columns"].items()
            }
            for name, dataset in datasets.items()
        }

    def is_apart(self, store):
        """Whether each of a store's datasets has a stream of its own."""
        text = self.documents.get(("Datastore", store), {"capture": {}})
        return text["capture"].get("consistency") == "single_dataset"

    def services(self):
        return [d for (kind, _), d in self.documents.items() if kind == "PlatformService"]

    def views(self, service):
        """(workspace, group, store, dataset, platform, with history) of a service's merge database."""
        out = []
        for assignment in service.get("assignments", ()):
            platform = _owner(assignment["platforms"])
            workspace, group = assignment["group"].split("/")
            wanted = self.documents["Workspace", workspace]["dataset_groups"][group]
            full = wanted.get("requires", {}).get("history") == "full"
            for sink in wanted["sinks"]:
                store, dataset = (sink if isinstance(sink, str) else sink["dataset"]).split("/")
                out += [(workspace, group, store, dataset, platform, full)] if platform else []
        return out


def _owner(platforms):
    for status in ("provisioned", "decommissioning"):
        for entry in platforms:
            if entry["status"] == status:
                return entry["platform"]
    return None


def _findings(result):
    words = []
    for severity in ("warning", "info"):
        count = sum(d["severity"] == severity for d in result["diagnostics"])
        words += [f"{count} {severity}{'s' if count != 1 else ''}"] if count else []
    return ", ".join(words) or "fine"
