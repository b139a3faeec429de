// Captured in milliseconds: listing the property names of these would take many seconds.
const bytes = new Uint8Array(20_000_000).fill(1); const numbers = Array.from({ length: 2_000_000 }, (_, index) => index);
check("a typed array of 20 MB", () => [bytes.length, bytes.at(-1)], 0);
check("an array of two million numbers", () => [numbers.length, numbers.at(-1)], 0);
const marked = Array.from({ length: 5000 }, (_, index) => index); marked.sum = () => marked.reduce((sum, x) => sum + x, 0); marked.unit = { name: "m" };
check("a large array with properties of its own", () => [marked.sum(), marked.unit, marked.length], 0);
class Row { constructor(n) { this.n = n; } double() { return this.n * 2; } }
const rows = Array.from({ length: 3000 }, (_, index) => new Row(index));
check("a large array of instances", () => [rows.length, rows.at(-1).double(), rows[0] instanceof Row], 0);
