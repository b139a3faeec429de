import "./runs.mjs";
