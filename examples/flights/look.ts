/** Colours and type of the picture. */
import { scaleThreshold } from "d3-scale";

export const ink = { strong: "#1d2429", normal: "#414a50", soft: "#6a747a", hairline: "#d5d8d6", land: "#eeede8", paper: "#fcfbf8" };

/** Upper bounds, in minutes, of every class of colour but the last. */
export const classBounds = [15, 30, 45, 60, 75];

/** Blue to dark red: told apart also by readers who do not tell red from green, and darker the worse. */
const classColours = ["#a9c6d3", "#c3cdc4", "#edc27c", "#e48a45", "#c84630", "#7c1233"];

export const colourOf = scaleThreshold<number, string>().domain(classBounds).range(classColours);

export const styleSheet = `
  text { font-family: "Helvetica Neue", Helvetica, Arial, sans-serif; font-size: 12px; fill: ${ink.normal} }
  .title { font-family: Georgia, "Times New Roman", serif; font-size: 34px; font-weight: bold; fill: ${ink.strong} }
  .deck { font-size: 15px }
  .heading { font-size: 14px; font-weight: bold; fill: ${ink.strong} }
  .note { font-size: 12px; fill: ${ink.soft} }
  .small { font-size: 11px; fill: ${ink.soft} }
  .number { font-weight: bold; fill: ${ink.strong} }
  .end { text-anchor: end }
  .middle { text-anchor: middle }
  .halo { paint-order: stroke; stroke: ${ink.land}; stroke-width: 3px; stroke-linejoin: round }
`;
