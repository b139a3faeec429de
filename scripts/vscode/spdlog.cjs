/**
 * Takes the place of the server's native logging addon, which would need a compiler: writes log files at once and never
 * rotates them. Output channels are log files too, so without it they would stay empty.
 */
const fs = require("node:fs");
const path = require("node:path");

const LEVELS = ["trace", "debug", "info", "warn", "error", "critical"];
const INFO = 2;

class Logger {
  #file;
  #level = INFO;
  #isPlain = false;

  constructor(_kind, _name, file) {
    this.#file = file;
    fs.closeSync(fs.openSync(file, "a"));
  }

  write(level, text) {
    if (level < this.#level) return;
    const time = new Date().toISOString().replace("T", " ").slice(0, -1);
    const line = this.#isPlain ? text : `${time} [${LEVELS[level]}] ${text}\n`;
    try {
      fs.appendFileSync(this.#file, line);
    } catch {
      // The folder goes while the server ends.
    }
  }

  getLevel() {
    return this.#level;
  }

  setLevel(level) {
    this.#level = level;
  }

  /** An output channel formats its own lines. */
  clearFormatters() {
    this.#isPlain = true;
  }

  setPattern() {}
  flush() {}
  drop() {}
}
LEVELS.forEach((name, level) => {
  Logger.prototype[name] = function log(text) {
    this.write(level, text);
  };
});

async function create(name, file) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  return new Logger("", name, file);
}

// One by one: that is how an import from an ES module finds the names of a CommonJS one.
exports.version = 0;
exports.Logger = Logger;
exports.setLevel = () => {};
exports.setFlushOn = () => {};
exports.createRotatingLogger = create;
exports.createAsyncRotatingLogger = create;
