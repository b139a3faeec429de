/** Styles are part of the script: esbuild gives their text. */
declare module "*.css" {
  const text: string;
  export default text;
}
