/** @param none of it is a decorator: name@place. */
export const plain: number = 5;
