// CRC-32, as zlib computes it. `crypto.subtle` is missing where the site is served without TLS in a local network.

const TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

/** Eight hexadecimal digits of the CRC-32 of a Blob. */
export async function crc32(blob) {
  let value = 0xffffffff;
  for (const byte of new Uint8Array(await blob.arrayBuffer())) value = TABLE[(value ^ byte) & 0xff] ^ (value >>> 8);
  return ((value ^ 0xffffffff) >>> 0).toString(16).padStart(8, "0");
}
