// <sceau-verifier></sceau-verifier> on any site: the checker in a frame, from wherever this script came from.
// A plain <iframe> does as well, without any script.
{
  const place = new URL("/verifier/integrer", document.currentScript.src).href;

  customElements.define(
    "sceau-verifier",
    class extends HTMLElement {
      connectedCallback() {
        if (this.firstElementChild) return;
        const frame = document.createElement("iframe");
        frame.src = place;
        frame.title = this.getAttribute("title") || "Sceau";
        frame.loading = "lazy";
        frame.style.cssText = "border:0;width:100%;max-width:420px;height:280px";
        this.append(frame);
      }
    },
  );
}
