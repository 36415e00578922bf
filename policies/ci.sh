#!/bin/sh
# What CI runs in a repository of policies:
#
#   ci.sh FOLDER BASE [REPORTS]
#
# FOLDER has the policies and their tests, BASE is the git revision that they are compared with, such as
# origin/main. Reports for a code host (SARIF, JUnit) go to the folder REPORTS, if there is one.
# Exit codes are those of the command: 3 a policy does not load, 4 a finding, a test that fails, or new
# access. Where a reviewer has agreed to what is new, NEW_ACCESS=agreed lets it pass; it is printed anyway.
set -eu
folder=$1 base=$2 reports=${3:-$(mktemp -d)}
pathward=${PATHWARD:-pathward}
mkdir -p "$reports"

"$pathward" validate --policy "$folder"

"$pathward" lint --policy "$folder" --format sarif --fail-level error > "$reports/lint.sarif" || true
"$pathward" lint --policy "$folder"

"$pathward" test --policy "$folder" --format junit > "$reports/tests.xml" || true
"$pathward" test --policy "$folder"

case ${NEW_ACCESS:-} in
agreed) "$pathward" diff "git:$base:$folder" "$folder" ;;
*) "$pathward" diff "git:$base:$folder" "$folder" --no-new-access ;;
esac
