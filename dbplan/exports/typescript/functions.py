"""Functions that a file brings along, as text."""

UUID_V7 = """\
/** Returns a UUIDv7: unique everywhere, and sorted by the time of its creation. */
function uuidv7(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  let time = Date.now();
  for (let place = 5; place >= 0; place--) {
    bytes[place] = time % 256;
    time = Math.floor(time / 256);
  }
  bytes[6] = (bytes[6]! & 0x0f) | 0x70;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"));
  return hex.join("").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}"""

BYTES_OF = """\
/** Returns bytes: drivers give them as they are, and text of hexadecimal digits within JSON. */
function bytesOf(value: Uint8Array | string): Uint8Array {
  if (typeof value !== "string") return value;
  const pairs = value.slice(2).match(/../g) ?? [];
  return Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16));
}"""
