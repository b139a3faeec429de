export const twice = (x: number): number => x * 2;
export class Box { constructor(public value: number) {} }
