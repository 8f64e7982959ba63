// Questions and news: dialogs that wait for an answer, lines that do not.

import { byId, make } from "./dom.js";

/**
 * Ask, and wait. `choices` is [{value, text, note?, main?}]; the answer is a
 * value, or null if the user closed the dialog.
 */
export function ask(title, text, choices) {
  return new Promise((resolve) => {
    const dialog = make("dialog", { class: "question", "aria-labelledby": "question-title" });
    const buttons = choices.map(({ value, text: name, note, main }) =>
      make(
        "button",
        { type: "button", class: main ? "main" : null, "data-answer": value, on: { click: () => dialog.close(value) } },
        make("span", { text: name }),
        note ? make("small", { text: note }) : null,
      ),
    );
    const cancel = make("button", { type: "button", text: "Cancel", "data-answer": "", on: { click: () => dialog.close("") } });
    dialog.append(
      make("h2", { id: "question-title", text: title }),
      ...[].concat(text).map((line) => make("p", { text: line })),
      make("div", { class: "choices" }, ...buttons, cancel),
    );
    dialog.returnValue = "";
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue || null);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Tell something at the foot of the page; an error stays until it is closed. */
export function tell(text, { error = false, action = null, stays = error, onClose = () => {} } = {}) {
  const note = make("div", { class: error ? "note error" : "note", role: error ? "alert" : "status" });
  const close = () => note.remove();
  const dismiss = () => {
    close();
    onClose();
  };
  note.append(make("span", { text }));
  if (action) {
    const act = () => {
      close();
      action.run();
    };
    note.append(make("button", { type: "button", text: action.text, on: { click: act } }));
  }
  note.append(make("button", { type: "button", class: "quiet", "aria-label": "Close this message", text: "×", on: { click: dismiss } }));
  const notes = byId("notes");
  for (const old of [...notes.children]) {
    if (old.firstChild.textContent === text) old.remove();
  }
  notes.append(note);
  // A dialog covers the rest of the page, notes too, unless they come after it.
  if (notes.showPopover) {
    if (notes.matches(":popover-open")) notes.hidePopover();
    notes.showPopover();
  }
  if (!stays) setTimeout(close, 6000);
  return close;
}

/** Tell what went wrong. */
export function tellError(error) {
  if (error.name === "AbortError") return;
  tell(error.message, { error: true });
}
