// eslint-disable-next-line @typescript-eslint/no-unused-vars -- window.ts takes its text
function addDevelopmentOptions(options) {
  // Runs in the page and in its frames, before their own scripts.
  if (window !== window.top) return;
  document.addEventListener("readystatechange", () => {
    // At "interactive" the page is read, and none of its module scripts has run.
    const carrier = document.getElementById("vscode-workbench-web-configuration");
    if (document.readyState !== "interactive" || carrier === null) return;
    const configuration = JSON.parse(carrier.getAttribute("data-settings"));
    configuration.developmentOptions = { ...configuration.developmentOptions, ...options };
    carrier.setAttribute("data-settings", JSON.stringify(configuration));
    window.burlaConfigured = true;
  });
}
