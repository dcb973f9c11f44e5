import type { Command } from "./commands.ts";
import { FLAGS } from "./flags.ts";

/** Completion for bash: groups, verbs, argument names, and the values of arguments that have a fixed set of them. */
export function bashCompletion(commands: readonly Command[]): string {
  const groups = [...new Set(commands.map((command) => command.group === "" ? command.verb : command.group))];
  const verbs = groups.map((group) => {
    const own = commands.filter((command) => command.group === group).map((command) => command.verb);
    return own.length === 0 ? "" : `    ${group}) words="${own.join(" ")}" ;;\n`;
  });
  const values = new Map<string, readonly string[]>();
  const args = commands.map((command) => {
    for (const arg of command.args) {
      if (arg.type.kind === "enum") values.set(arg.name, arg.type.values);
      if (arg.type.kind === "bool") values.set(arg.name, ["true", "false"]);
    }
    const names = [...(command.regional ? ["region="] : []), ...command.args.map((arg) => `${arg.name}=`)];
    const pattern = command.group === "" ? `"${command.verb} "*` : `"${command.group} ${command.verb}"`;
    return `    ${pattern}) words="${names.join(" ")}" ;;\n`;
  });
  const cases = [...values].map(([name, texts]) => `    ${name}) words="${texts.join(" ")}" ;;\n`);
  return `# Completion of mcctl for bash: source <(mcctl completion bash)
_mcctl() {
  # Words are taken from the line, because bash splits at "=" otherwise.
  local line="\${COMP_LINE:0:COMP_POINT}" words="" current="" group="" verb="" word
  local -a typed
  read -ra typed <<< "$line"
  if [[ "$line" != *" " ]]; then
    current="\${typed[-1]}"
    unset "typed[-1]"
  fi
  for word in "\${typed[@]:1}"; do
    case "$word" in
    -* | *=*) ;;
    *)
      if [[ -z "$group" ]]; then group="$word"; elif [[ -z "$verb" ]]; then verb="$word"; fi
      ;;
    esac
  done
  compopt +o nospace 2> /dev/null
  if [[ "$current" == *=* && "$current" != -* ]]; then
    case "\${current%%=*}" in
${cases.join("")}    esac
    COMPREPLY=($(compgen -W "$words" -- "\${current#*=}"))
    return
  fi
  if [[ "$current" == -* ]]; then
    words="${FLAGS.flatMap((flag) => flag.names).join(" ")}"
  elif [[ -z "$group" ]]; then
    words="${[...groups, "version", "completion", "help"].join(" ")}"
  else
    case "$group $verb" in
${args.join("")}    "completion "*) words="bash" ;;
    *)
      if [[ -z "$verb" ]]; then
        case "$group" in
${verbs.join("")}        esac
      fi
      ;;
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [[ \${#COMPREPLY[@]} -eq 1 && "\${COMPREPLY[0]}" == *= ]]; then compopt -o nospace 2> /dev/null; fi
}
complete -F _mcctl mcctl
`;
}
