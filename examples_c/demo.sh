#!/bin/sh
# The quickstart twice: on the engine in its own process, then over HTTP against `chatblock serve`. The
# answers are the same. Then a store that outlives the process.
#
#   examples_c/demo.sh FOLDER     with libchatblock.so and the program chatblock, e.g. target/release
set -eu

folder=$(cd "${1:?usage: demo.sh FOLDER}" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
server=
finish() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM

# The loader looks for the library under its SONAME.
ln -s "$folder/libchatblock.so" "$work/libchatblock.so.0.1"
export LD_LIBRARY_PATH="$work"
for name in quickstart durable; do
    ${CC:-cc} -std=c99 -Wall -Wextra -Wpedantic -I "$here/../include" "$here/$name.c" \
        "$folder/libchatblock.so" -o "$work/$name"
done

echo "== the engine in this process"
"$work/quickstart" '{}' >"$work/embedded"
cat "$work/embedded"

echo
echo "== the same over HTTP"
umask 077
od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >"$work/key"
app="\"sdkappid\": 1400000001, \"identifier\": \"administrator\", \"secret_key_file\": \"$work/key\""
echo "{\"backend\": \"embedded\", $app}" >"$work/serve.json"
: >"$work/serve.out"
"$folder/chatblock" serve --config "$work/serve.json" --listen 127.0.0.1:0 >"$work/serve.out" &
server=$!
url=
for _ in $(seq 100); do
    url=$(sed -n 's/^listening on //p' "$work/serve.out")
    [ -z "$url" ] || break
    sleep 0.1
done
[ -n "$url" ] || { echo "the server did not start" >&2; exit 1; }
echo "server at $url"
"$work/quickstart" "{\"backend\": \"remote\", $app, \"base_url\": \"$url\"}" >"$work/remote"
for run in embedded remote; do
    grep -v '^time ' "$work/$run" >"$work/$run.timeless"
done
diff "$work/embedded.timeless" "$work/remote.timeless"
echo "$(wc -l <"$work/remote.timeless") lines, the same as above but for times"
kill "$server"
wait "$server" || true
server=

echo
echo "== a store that outlives the process"
"$work/durable" "$work/block.db"
"$work/durable" "$work/block.db"

echo
echo "demo: embedded and over HTTP with the same answers, durable over a restart"
