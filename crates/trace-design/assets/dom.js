// Elements, made and found. Text only ever goes in as text: nothing here or
// elsewhere parses a string as HTML.

/** The element with this id, which index.html has. */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}

/**
 * A new element. Properties are attributes, save `text`, `on` (listeners by
 * event) and `value`; what is null or false is left out.
 */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") element.textContent = value;
    else if (name === "value") setValue(element, value);
    else if (name === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/**
 * Show `value` in a field, unless somebody is typing there. The field's
 * defaultValue is what the design says, so that value !== defaultValue means
 * that something is typed and not yet taken.
 */
export function setValue(field, value) {
  const text = String(value);
  const typing = field === document.activeElement && field.value !== field.defaultValue;
  if ("defaultValue" in field && field.defaultValue !== text) field.defaultValue = text;
  if (!typing && field.value !== text) field.value = text;
}

/** What is typed in `field` is taken: it is what the design says now. */
export function settle(field, value) {
  field.defaultValue = String(value);
  field.value = String(value);
  complain(field, null);
}

/**
 * Say below `field` what is wrong with it, or with null that nothing is:
 * after what is marked data-errors around it, or at the end of what says
 * "inside".
 */
export function complain(field, reason) {
  const id = `${field.id || (field.id = unique())}-error`;
  let note = document.getElementById(id);
  if (!reason) {
    note?.remove();
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-errormessage");
    return;
  }
  if (!note) {
    note = make("p", { id, class: "field-error", role: "alert" });
    const inside = field.closest("[data-errors=inside]");
    if (inside) inside.append(note);
    else (field.closest("[data-errors]") ?? field).after(note);
  }
  note.textContent = reason;
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-errormessage", id);
}

/** Call `take` with what is typed when the user is done; Escape takes it back. */
export function onTyped(field, take) {
  field.addEventListener("change", () => take(field.value));
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || field.value === field.defaultValue) return;
    event.stopPropagation();
    event.preventDefault();
    settle(field, field.defaultValue);
  });
}

/**
 * A word that nothing else is called. Without crypto.randomUUID, which only
 * secure pages have: with --listen this one may not be.
 */
export function unique() {
  const [a, b] = crypto.getRandomValues(new Uint32Array(2));
  return `id-${a.toString(36)}${b.toString(36)}`;
}
