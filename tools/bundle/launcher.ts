import type { Agent } from "./agents.ts";

/** What a launcher is made for. */
export interface LauncherFacts {
  readonly agent: Agent;
  /** SHA-256 of the list of checksums, in hexadecimal: it identifies everything in the payload. */
  readonly manifestSha256: string;
}

/** Name of the list of checksums inside the payload. */
export const MANIFEST = "SHA256SUMS";
/** Name of the runtime inside the payload. */
export const RUNTIME = "deno";

/**
 * The shell program in front of the payload (a gzipped archive). It unpacks once, into a folder named after the content,
 * checks every file there before it is used for the first time, and runs the agent with its fixed permissions. It uses
 * the tools of every Unix (sh, tail, tar, gzip, sha256sum), no network and no home folder.
 */
export function launcher({ agent, manifestSha256 }: LauncherFacts): string {
  const text = (offset: number) => script(agent, manifestSha256, String(offset).padStart(8, "0"));
  return text(new TextEncoder().encode(text(0)).length + 1);
}

function script({ name, permissions }: Agent, sha256: string, offset: string): string {
  const flags = permissions.map((flag) =>
    `"${flag.replace("$DATA", "$data").replace("$RUNTIME", `$home/${RUNTIME}`)}"`
  );
  return `#!/bin/sh
# Archipelago ${name}: launcher, followed by the packed program. Run it with --help.
set -eu
fail() { echo "${name}: $1" >&2; exit 1; }
here=$(cd "$(dirname "$0")" && pwd)
if [ -n "\${ARCHIPELAGO_CACHE:-}" ]; then cache=$ARCHIPELAGO_CACHE
elif [ -n "\${XDG_CACHE_HOME:-}" ]; then cache=$XDG_CACHE_HOME/archipelago
else cache=$here/.archipelago-cache; fi
home=$cache/${name}-${sha256.slice(0, 16)}
if [ ! -f "$home/.verified" ]; then
  for tool in tail tar gzip sha256sum; do
    command -v "$tool" >/dev/null 2>&1 || fail "the program $tool is needed to unpack and is not installed"
  done
  fresh=$home.$$
  mkdir -p "$fresh" 2>/dev/null || fail "cannot write to $cache; set ARCHIPELAGO_CACHE to a folder that can be written"
  trap 'rm -rf "$fresh"' EXIT
  tail -c "+${offset}" "$0" | tar -xzf - -C "$fresh" 2>/dev/null || fail "the file $0 is damaged or the disk is full: it cannot be unpacked"
  found=$(cd "$fresh" && sha256sum ${MANIFEST} 2>/dev/null | cut -d ' ' -f 1)
  [ "$found" = "${sha256}" ] || fail "the file $0 is damaged: its list of checksums is not the one it was made with"
  (cd "$fresh" && sha256sum -c ${MANIFEST} >/dev/null 2>&1) || fail "the file $0 is damaged: a checksum does not fit"
  touch "$fresh/.verified"
  # another process may have been quicker
  mv "$fresh" "$home" 2>/dev/null || [ -f "$home/.verified" ] || fail "cannot write to $cache"
  rm -rf "$fresh" "$home/\${fresh##*/}"
  trap - EXIT
fi
data=\${ARCHIPELAGO_DATA_DIR:-}
previous=
for argument in "$@"; do
  case $previous in --data-dir) data=$argument ;; esac
  case $argument in --data-dir=*) data=\${argument#--data-dir=} ;; esac
  previous=$argument
done
# without a data folder nothing may be written, and the program says what is missing
data=\${data:-$home/none}
case $data in *,*) fail "the data folder must not hold a comma: $data" ;; esac
export DENO_DIR="$home/runtime-cache" DENO_NO_UPDATE_CHECK=1 DENO_NO_PROMPT=1
exec "$home/${RUNTIME}" run --quiet --no-prompt --no-config --no-lock --no-remote --no-npm --cached-only --no-code-cache \\
  ${flags.join(" \\\n  ")} \\
  "$home/main.js" "$@"
`;
}
