export const weight = 5;
