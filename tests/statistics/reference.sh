#!/bin/sh
# The statistics of the studies beside R's, on a thousand random data sets. 77: R is not here.
#
#   reference.sh ANSWERS [FROM] [COUNT]
set -eu
command -v Rscript >/dev/null 2>&1 || {
    echo "Rscript is missing; it comes with r-base-core"
    exit 77
}
"$1" "${2:-1}" "${3:-1000}" | Rscript --vanilla "$(dirname "$0")/check.R"
