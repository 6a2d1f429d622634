#include <stdio.h>

int main(void)
{
    puts("datasurface " DS_VERSION);
    return 0;
}
