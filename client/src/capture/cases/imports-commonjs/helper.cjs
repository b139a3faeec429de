class Thing { constructor(value) { this.value = value; } }
exports.twice = (x) => x * 2;
exports.Thing = Thing;
exports.name = "helper";
