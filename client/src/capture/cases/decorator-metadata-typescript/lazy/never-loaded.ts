import { Column } from "../column.js";
export class Late { @Column at!: Date; }
