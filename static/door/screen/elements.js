// Makes elements. Text always goes in as text, never as markup: names are what people typed.

export function el(tag, given, ...children) {
  const made = document.createElement(tag);
  Object.keys(given || {}).forEach(key => {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), given[key]);
    else if (given[key] === true) made.setAttribute(key, "");
    else if (given[key] !== false && given[key] != null) made.setAttribute(key, given[key]);
  });
  put(made, children);
  return made;
}

// Replaces what is in an element; empty children are left out. The same text is left as it is.
export function put(parent, children) {
  const text = children.length === 1 && typeof children[0] === "string" ? children[0] : null;
  if (text !== null && !parent.firstElementChild && parent.textContent === text) return;
  parent.textContent = "";
  [].concat(...children).forEach(child => {
    if (child || child === 0) {
      parent.appendChild(typeof child === "object" ? child : document.createTextNode(child));
    }
  });
}

export const name = text => el("b", { translate: "no" }, text);

// A form with one button, as the page without a script has it. `who` is added to what a screen
// reader says.
export function press(kind, label, act, who) {
  const spoken = who ? `${label} ${who}` : null;
  const look = kind === "in" ? "main" : null;
  return el("form", { class: kind, onsubmit: event => { event.preventDefault(); act(); } },
    el("button", { class: look, "aria-label": spoken }, label));
}

export function button(label, act, given) {
  return el("button", Object.assign({ type: "button", onclick: act }, given), label);
}

// The name of a door; one that nobody chose is said in the language of the page.
export function doorName(say, stored) {
  const number = /^([1-9]\d{0,5}) 号台$/.exec(stored || "");
  return number ? say("door_name", { number: number[1] }) : stored || "";
}

// The sentence of a key with its {values}.
export function speaker(words) {
  return (key, values) => (words[key] || key).replace(/\{(\w+)\}/g, (all, one) =>
    values && one in values ? String(values[one]) : all);
}

// 8:47, and with the day if that is another one: 9-15 8:47. In the event's zone; `when` is an ISO
// time or milliseconds.
export function clock(facts, now) {
  const shifted = when => {
    const ms = typeof when === "string" ? Date.parse(when) : when;
    return new Date(ms + (facts().offset_minutes || 0) * 60000);
  };
  const day = date => `${date.getUTCMonth() + 1}-${date.getUTCDate()}`;
  return when => {
    if (!when) return "";
    const date = shifted(when);
    const hour = `${date.getUTCHours()}:${String(date.getUTCMinutes()).padStart(2, "0")}`;
    return day(date) === day(shifted(now())) ? hour : `${day(date)} ${hour}`;
  };
}
