let n = 0; export const count = () => ++n; export default class M { n = n; } export const where = () => import.meta.url;
