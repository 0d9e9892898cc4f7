/* SPDX-License-Identifier: MIT */
#include <locale.h>
#include <stdio.h>

#include "managerd/ctl/look.h"
#include "managerd/ctl/ctl.h"

int main(int argc, char **argv)
{
    struct ctl_request request;
    bool done;
    setlocale(LC_CTYPE, ""); /* lines of trees; numbers stay those of the C locale */
    ctl_catch_bus_errors();
    int rc = ctl_parse(argc, argv, &request, &done);
    if (!rc && !done) {
        rc = request.verb->run(&request);
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        perror("managerctl: stdout");
        return CTL_FAILED;
    }
    return rc;
}
