#!/bin/sh
# What CI runs in a repository of policies:
#
#   ci.sh FOLDER BASE [REPORTS]
#
# FOLDER has the policies and their tests, BASE is the git revision that they are compared with, such as
# origin/main. Reports for a code host (SARIF, JUnit) go to the folder REPORTS, if there is one.
# Every step runs, so that a review sees all there is; without a policy that loads, none can. Exit codes are
# those of the command, of the first step that fails: 2 wrong usage, 3 a policy does not load, 4 a finding, a
# test that fails, or new access. Where a reviewer has agreed to what is new, NEW_ACCESS=agreed lets it pass;
# it is printed anyway.
set -eu
if [ $# -lt 2 ] || [ $# -gt 3 ]; then
    echo "usage: $0 FOLDER BASE [REPORTS], such as \`$0 policies origin/main reports\`" >&2
    exit 2
fi
folder=$1 base=$2 reports=${3:-$(mktemp -d)}
pathward=${PATHWARD:-pathward}
mkdir -p "$reports"
status=0

step() {
    "$pathward" "$@" || { code=$?; [ "$status" -ne 0 ] || status=$code; }
}

"$pathward" validate --policy "$folder"

"$pathward" lint --policy "$folder" --format sarif --fail-level never > "$reports/lint.sarif" || true
step lint --policy "$folder"

"$pathward" test --policy "$folder" --format junit > "$reports/tests.xml" || true
step test --policy "$folder"

case ${NEW_ACCESS:-} in
agreed) step diff "git:$base:$folder" "$folder" ;;
*) step diff "git:$base:$folder" "$folder" --no-new-access ;;
esac
exit "$status"
