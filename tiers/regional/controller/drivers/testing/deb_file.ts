/**
 * A Debian package of nothing but control data.
 *
 * @param control content of the file `control`; empty: there is no such file
 * @param packed how the control data is packed; `.xz` only says so
 */
export async function debFile(control: string, packed: "" | ".gz" | ".xz"): Promise<Uint8Array<ArrayBuffer>> {
  const tar = tarOf(control === "" ? "./other" : "./control", control);
  const data = packed === ".gz" ? await gzip(tar) : tar;
  const parts = [
    bytes("!<arch>\n"),
    ...member("debian-binary", bytes("2.0\n")),
    ...member(`control.tar${packed}`, data),
  ];
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

function member(name: string, data: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[] {
  const header = `${name.padEnd(16)}${"0".padEnd(12)}${"0".padEnd(6)}${"0".padEnd(6)}${"100644".padEnd(8)}` +
    `${String(data.length).padEnd(10)}\`\n`;
  return [bytes(header), data, new Uint8Array(data.length % 2)];
}

function tarOf(name: string, content: string): Uint8Array<ArrayBuffer> {
  const data = bytes(content);
  const archive = new Uint8Array(512 + Math.ceil(data.length / 512) * 512 + 1024);
  archive.set(bytes(name), 0);
  archive.set(bytes(data.length.toString(8).padStart(11, "0")), 124);
  archive.set(data, 512);
  return archive;
}

async function gzip(data: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(
    await new Response(new Blob([data]).stream().pipeThrough(new CompressionStream("gzip"))).arrayBuffer(),
  );
}

function bytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
