/** Colours and type of the picture. */
import { scaleThreshold } from "d3-scale";

export const ink = { strong: "#1d2429", normal: "#414a50", soft: "#667076", hairline: "#dddfdc", land: "#e9e8e2", paper: "#fcfbf8" };

/** Where one colour ends and the next begins, in minutes. */
export const classBounds = [15, 30, 45, 60, 75];

/** Blue to dark red: told apart also by readers who do not tell red from green, and darker the worse. */
export const colourOf = scaleThreshold<number, string>()
  .domain(classBounds)
  .range(["#8fb6c9", "#b4c3bd", "#ecbf76", "#e4863f", "#c63f2b", "#74102f"]);

/** The many ordinary routes are a ground of hairlines, on which the few bad ones stand out. */
export const lineOf = scaleThreshold<number, { readonly width: number; readonly opacity: number }>()
  .domain(classBounds)
  .range([
    { width: 0.5, opacity: 0.55 },
    { width: 0.5, opacity: 0.5 },
    { width: 0.5, opacity: 0.5 },
    { width: 0.7, opacity: 0.6 },
    { width: 1.3, opacity: 0.85 },
    { width: 1.8, opacity: 0.95 },
  ]);

export const styleSheet = `
  text { font-family: "Helvetica Neue", Helvetica, Arial, sans-serif; font-size: 12.5px; fill: ${ink.normal} }
  .title { font-family: Georgia, "Times New Roman", serif; font-size: 36px; font-weight: bold; fill: ${ink.strong} }
  .deck { font-size: 15.5px }
  .heading { font-size: 14.5px; font-weight: bold; fill: ${ink.strong} }
  .note { font-size: 12px; fill: ${ink.soft} }
  .small { font-size: 11px; fill: ${ink.soft} }
  .number { font-weight: bold; fill: ${ink.strong} }
  .end { text-anchor: end }
  .middle { text-anchor: middle }
  .airport text { font-size: 10.5px; font-weight: bold; fill: ${ink.strong}; paint-order: stroke; stroke: ${ink.paper}; stroke-width: 2.5px; stroke-linejoin: round }
`;
