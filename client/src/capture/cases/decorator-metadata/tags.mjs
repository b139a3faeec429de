export class Tagged { run() {} }
Reflect.defineMetadata("tags", ["a", "b"], Tagged);
Reflect.defineMetadata("cost", 2, Tagged.prototype, "run");
export const tagsOf = (target) => Reflect.getMetadata("tags", target);
