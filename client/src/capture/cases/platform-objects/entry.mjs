const headers = new Headers([["a", "1"], ["set-cookie", "x"], ["set-cookie", "y"]]);
check("Headers", () => [...headers], 0);
const aborted = new DOMException("stopped", "AbortError");
check("DOMException", () => [aborted instanceof DOMException, aborted.name, aborted.message, aborted.code], 0);
const locale = new Intl.Locale("de-DE-u-hc-h12"); const regions = new Intl.DisplayNames("en", { type: "region" });
check("Intl.Locale and Intl.DisplayNames", () => [locale.toString(), locale.hourCycle, regions.of("US")], 0);
