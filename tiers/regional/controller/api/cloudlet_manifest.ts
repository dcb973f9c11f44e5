/** Where services of a cloudlet reach the region from outside. */
export interface AccessPoint {
  /** host:port of the access API. */
  readonly accessAddress: string;
  /** host:port of notify. */
  readonly notifyAddress: string;
  /** Certificate of the platform's root, PEM. */
  readonly rootPem: string;
}

/** A shell script that starts the agent `archipelago-crm` of `deno task bundle` with a key good for one start. */
export function crmManifest(
  cloudlet: { readonly organization: string; readonly name: string },
  region: string,
  point: AccessPoint,
  privatePem: string,
): string {
  return `#!/bin/sh
# Starts the resource manager of cloudlet ${JSON.stringify(cloudlet)} in region ${region}.
# It holds an access key, which is exchanged at the first start: keep this file to yourself, and make another one for a
# new start elsewhere. Needs the agent beside it: deno task bundle crm
set -eu
umask 077
folder=\${ARCHIPELAGO_FOLDER:-/var/lib/archipelago-crm}
mkdir -p "$folder/tls"
[ -e "$folder/access-key.pem" ] || cat > "$folder/access-key.pem" <<'END_OF_KEY'
${privatePem.trimEnd()}
END_OF_KEY
cat > "$folder/root.pem" <<'END_OF_ROOT'
${point.rootPem.trimEnd()}
END_OF_ROOT
exec "\${ARCHIPELAGO_CRM:-./archipelago-crm}" \\
  --cloudlet ${quoted(JSON.stringify(cloudlet))} \\
  --region ${quoted(region)} \\
  --notify-addrs ${quoted(point.notifyAddress)} \\
  --access-api-addr ${quoted(point.accessAddress)} \\
  --access-ca "$folder/root.pem" \\
  --access-key-file "$folder/access-key.pem" \\
  --tls-dir "$folder/tls" \\
  --data-dir "$folder" "$@"
`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
