import { Type } from "./register.mjs";
export class Photo {}
Type(Number)(Photo.prototype, "size");
