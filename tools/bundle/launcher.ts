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

function script({ name, permissions, folders }: Agent, sha256: string, offset: string): string {
  const places = Object.entries(folders).map(([place, option]) => ({ variable: `folder_${place}`, option }));
  const flags = permissions.map((flag) =>
    `"${
      flag.replace(/\$([A-Z]+)/g, (_, place: string) => place === "RUNTIME" ? `$home/${RUNTIME}` : `$folder_${place}`)
    }"`
  );
  const each = (line: (place: { variable: string; option: string }) => string) => places.map(line).join("\n");
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
${each(({ variable, option }) => `${variable}=\${ARCHIPELAGO_${option.toUpperCase().replaceAll("-", "_")}:-}`)}
previous=
for argument in "$@"; do
${
    each(({ variable, option }) =>
      `  case $previous in --${option}) ${variable}=$argument ;; esac
  case $argument in --${option}=*) ${variable}=\${argument#--${option}=} ;; esac`
    )
  }
  previous=$argument
done
# without a folder nothing may be written there, and the program says what is missing
${
    each(({ variable, option }) =>
      `${variable}=\${${variable}:-$home/none}
case $${variable} in *,*) fail "the folder of --${option} must not hold a comma: $${variable}" ;; esac`
    )
  }
export DENO_DIR="$home/runtime-cache" DENO_NO_UPDATE_CHECK=1 DENO_NO_PROMPT=1
exec "$home/${RUNTIME}" run --quiet --no-prompt --no-config --no-lock --no-remote --no-npm --cached-only --no-code-cache \\
  ${flags.join(" \\\n  ")} \\
  "$home/main.js" "$@"
`;
}
