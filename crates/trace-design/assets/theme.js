// Light or dark: as the system is, or as the user said. A classic script in
// the head, so that the page is never shown in the wrong colours first.
(() => {
  const KEY = "trace-design.theme";
  const root = document.documentElement;
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const NAMES = { system: "as the system", light: "light", dark: "dark" };
  let wish = "system";
  try {
    wish = localStorage.getItem(KEY) ?? "system";
  } catch {
    // No storage: the wish lasts as long as the page.
  }
  if (!(wish in NAMES)) wish = "system";

  const apply = () => {
    const dark = wish === "dark" || (wish === "system" && system.matches);
    root.dataset.theme = dark ? "dark" : "light";
    const button = document.getElementById("theme");
    if (button) {
      button.dataset.wish = wish;
      button.setAttribute("aria-label", `Colours: ${NAMES[wish]}`);
      button.title = `Colours: ${NAMES[wish]}. Click to change`;
    }
    document.dispatchEvent(new Event("themechange"));
  };

  apply();
  system.addEventListener("change", apply);
  document.addEventListener("DOMContentLoaded", () => {
    apply();
    document.getElementById("theme").addEventListener("click", () => {
      const wishes = Object.keys(NAMES);
      wish = wishes[(wishes.indexOf(wish) + 1) % wishes.length];
      try {
        localStorage.setItem(KEY, wish);
      } catch {
        // As above.
      }
      apply();
    });
  });
})();
