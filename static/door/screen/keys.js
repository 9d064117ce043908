// The keyboard, and hardware scanners, which type like one: with an Enter at the end or without.

import { scanned } from "./search.js";

// Fields in which somebody is typing something else.
function isElsewhere(target, box) {
  return target !== box && /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

function isLetter(event) {
  return event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey &&
    !event.altKey;
}

// `does`: {search(text), scan(text), choose(), move(step), clear(), last(), undo(), isOpen()}.
export function listen(box, does) {
  const take = () => {
    const text = box.value;
    if (scanned(text).kind !== "ticket") return does.search(text);
    box.value = "";
    return does.scan(text);
  };
  box.addEventListener("input", take);

  const inBox = {
    Enter: () => {
      const read = scanned(box.value);
      if (read.kind === "typed") return does.choose();
      const text = box.value;
      box.value = "";
      return does.scan(text);
    },
    ArrowDown: () => does.move(1),
    ArrowUp: () => (box.value ? does.move(-1) : does.last()),
    Escape: () => does.clear()
  };

  document.addEventListener("keydown", event => {
    if (event.isComposing || event.keyCode === 229) return;
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && !box.value &&
        !isElsewhere(event.target, box)) {
      event.preventDefault();
      does.undo();
      return;
    }
    if (event.target === box && inBox[event.key]) {
      event.preventDefault();
      inBox[event.key]();
    } else if (event.key === "Escape") {
      does.clear();
    } else if (isLetter(event) && does.isOpen() && !isElsewhere(event.target, box)) {
      box.focus();
    }
  });
}
