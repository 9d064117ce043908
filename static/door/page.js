// The screen of the door. Not drawn yet: until then the page below stays in sight.

export function openPage() {
  return { scanned() {}, told() {}, redraw() {} };
}
