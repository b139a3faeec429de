const floats = new Float32Array([1, 2, 3]); const part = new Uint8Array([1, 2, 3, 4]).subarray(1, 3).slice(); const view = new DataView(new ArrayBuffer(4)); const bytes = Buffer.from("hello");
check("a typed array has a buffer of its own", () => [floats.buffer.byteLength, [...new Uint8Array(floats.buffer)]], 0);
check("so has each of several", () => [part.buffer.byteLength, view.buffer.byteLength, new Uint32Array(view.buffer).length], 0);
check("a Buffer's memory holds nothing of others", () => [bytes.toString(), Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()], 0);
