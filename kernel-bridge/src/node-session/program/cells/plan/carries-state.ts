/** Why a loop has to run in one place. Its message goes on from "line 3 is no map, since ". */
export class CarriesState extends Error {
  override name = "CarriesState";
}
