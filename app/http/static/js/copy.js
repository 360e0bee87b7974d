// A copy button beside each field that asks for one. Without this script the field selects and copies as any other.
for (const field of document.querySelectorAll("input[data-copy]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn alt s";
  button.textContent = field.dataset.copy;
  const status = document.createElement("span");
  status.className = "small soft";
  status.setAttribute("role", "status");
  button.addEventListener("click", async () => {
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      status.textContent = field.dataset.copied;
    } catch {
      // Refused by the browser: the address stays selected, ready for the keyboard.
    }
  });
  field.addEventListener("focus", () => field.select());
  const line = document.createElement("p");
  line.className = "row";
  line.append(button, status);
  field.closest(".field").after(line);
}
