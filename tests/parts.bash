# Parts of a run, for .ci/run, tests/run and tests/long: each says its name when it starts and its
# time when it ends, and a table of all closes the run. Sourced, from the repository's folder.
#
#   part NAME COMMAND…     runs a part
#   aside NAME COMMAND…    starts a part beside those that follow; what it prints is kept
#   join NAME              waits for it, and prints that
#
# A run that another one starts adds its parts to the other's table.

parts_pid=$BASHPID
if [ -z "${PATHWARD_PARTS:-}" ]; then
    PATHWARD_PARTS=$(mktemp -d)
    export PATHWARD_PARTS
    parts_outermost=yes
else
    parts_outermost=
fi
declare -A parts_aside=()

# The processor's seconds of everything that this shell has waited for. Never in `$(…)`: that is
# another shell, which has waited for nothing.
parts_cpu() {
    times >"$PATHWARD_PARTS/times.$BASHPID"
    awk 'NR == 2 { for (n = 1; n <= 2; n++) { split($n, t, /[ms]/); sum += 60 * t[1] + t[2] } print int(sum + 0.5) }' \
        "$PATHWARD_PARTS/times.$BASHPID"
}

parts_row() { # NAME OUTCOME SECONDS CPU
    printf '%s\t%s\t%s\t%s\n' "$@" >>"$PATHWARD_PARTS/table"
}

part() {
    local name=$1 start=$SECONDS cpu
    shift
    # What was waited for since the last part, as another run, is no time of this one.
    parts_cpu >"$PATHWARD_PARTS/cpu.$parts_pid"
    cpu=$(parts_cpu_before)
    printf '\n== %s\n' "$name"
    parts_now=$name parts_start=$start parts_cpu_start=$cpu
    "$@"
    parts_end passed
}

parts_cpu_before() { cat "$PATHWARD_PARTS/cpu.$parts_pid" 2>/dev/null || echo 0; }

# Says what the part that runs has taken.
parts_end() {
    local cpu
    parts_cpu >"$PATHWARD_PARTS/cpu.$parts_pid"
    cpu=$(($(parts_cpu_before) - parts_cpu_start))
    printf -- '-- %s: %s, %s s, %s s of processor\n' "$parts_now" "$1" $((SECONDS - parts_start)) "$cpu"
    parts_row "$parts_now" "$1" $((SECONDS - parts_start)) "$cpu"
    parts_now=
}

aside() {
    local name=$1 file
    shift
    file=$PATHWARD_PARTS/${name//[^A-Za-z0-9]/_}
    printf '\n== %s: started, beside what follows\n' "$name"
    (
        # Its own group, so that all of it can be ended.
        set -m
        (
            trap - EXIT
            SECONDS=0
            set +e
            (set -e; "$@")
            code=$?
            parts_cpu >"$file.cpu"
            printf '%s %s %s\n' "$code" "$SECONDS" "$(cat "$file.cpu")" >"$file.ended"
            exit $code
        ) >"$file.output" 2>&1 </dev/null &
        set +m
        echo $! >"$file.pid"
        wait $!
    ) &
    parts_aside[$name]=$!
}

join() {
    local name=$1 file code seconds cpu
    file=$PATHWARD_PARTS/${name//[^A-Za-z0-9]/_}
    [ -n "${parts_aside[$name]:-}" ] || return 0
    wait "${parts_aside[$name]}" || true
    # Its time is no part's that runs in front.
    parts_cpu >"$PATHWARD_PARTS/cpu.$parts_pid"
    parts_aside[$name]=
    printf '\n== %s\n' "$name"
    cat "$file.output"
    read -r code seconds cpu <"$file.ended" || { code=1 seconds=0 cpu=0; }
    local outcome=passed
    [ "$code" = 0 ] || outcome=FAILED
    printf -- '-- %s: %s, %s s, %s s of processor\n' "$name" "$outcome" "$seconds" "$cpu"
    parts_row "$name" "$outcome" "$seconds" "$cpu"
    [ "$code" = 0 ]
}

# Ends what still runs aside, and prints the table. Only what this run has started is ended.
parts_done() {
    local code=$? name file
    [ "$BASHPID" = "$parts_pid" ] || return 0
    set +e
    [ -z "${parts_now:-}" ] || parts_end FAILED
    for name in "${!parts_aside[@]}"; do
        [ -n "${parts_aside[$name]}" ] || continue
        file=$PATHWARD_PARTS/${name//[^A-Za-z0-9]/_}
        if [ ! -e "$file.ended" ]; then
            kill -TERM -- "-$(cat "$file.pid")" 2>/dev/null
            wait "${parts_aside[$name]}" 2>/dev/null
            printf '\n== %s: ended, for another part failed. What it had printed:\n' "$name"
            cat "$file.output"
            parts_row "$name" ended - -
        else
            join "$name"
        fi
    done
    if [ -n "$parts_outermost" ]; then
        local outcome=passed
        [ "$code" = 0 ] || outcome=FAILED
        parts_cpu >"$PATHWARD_PARTS/cpu.$parts_pid"
        printf '\n%-64s %-7s %8s %12s\n' "part" "" "seconds" "processor"
        awk -F '\t' '{ printf "%-64s %-7s %8s %12s\n", $1, $2, $3, $4 }' "$PATHWARD_PARTS/table" 2>/dev/null
        printf '%-64s %-7s %8s %12s\n' "the whole run" "$outcome" "$SECONDS" "$(parts_cpu_before)"
        rm -rf "$PATHWARD_PARTS"
    fi
    exit $code
}
trap parts_done EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
