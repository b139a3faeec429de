export const double = (x) => x * 2;
export default "main";
