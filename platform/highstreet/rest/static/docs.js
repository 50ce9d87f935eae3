"use strict";
// Shows the OpenAPI document. An Idempotency-Key that is left at its example becomes a new one for
// each try, or the second try would be answered with the first one's answer.
(function () {
  const place = document.getElementById("swagger-ui");
  const header = "Idempotency-Key";
  // Swagger UI puts a link into the button that opens an operation: two things at one place, which
  // readers of the screen can't tell apart. The button alone is enough.
  const plain = (system) => ({
    components: { DeepLink: ({ text }) => system.React.createElement("span", null, text) },
  });
  // What Swagger UI leaves without a name, a level or a way for the keyboard.
  const mend = () => {
    for (const [what, level] of [["h3.opblock-tag", 2], [".models > h4", 2], [".opblock h4", 3], [".opblock h5", 4]]) {
      for (const heading of place.querySelectorAll(`${what}:not([aria-level])`)) heading.setAttribute("aria-level", level);
    }
    for (const [what, name] of [[".information-container", "About"], [".scheme-container", "Sign in"]]) {
      for (const part of place.querySelectorAll(`${what}:not([role])`)) {
        part.setAttribute("role", "region");
        part.setAttribute("aria-label", name);
      }
    }
    for (const box of place.querySelectorAll("pre.microlight:not([tabindex]), .opblock-body pre:not([tabindex])")) box.tabIndex = 0;
    for (const select of place.querySelectorAll("select:not([aria-label])")) {
      const words = select.closest("label, .parameters-col_description, .response-controls, .opblock-section-request-body");
      select.setAttribute("aria-label", (words && words.querySelector("small, .parameter__name, h4") || select).textContent.trim().slice(0, 60) || select.id);
    }
  };
  new MutationObserver(mend).observe(place, { childList: true, subtree: true });
  window.ui = window.SwaggerUIBundle({
    url: place.dataset.document,
    domNode: place,
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    displayRequestDuration: true,
    persistAuthorization: false,
    validatorUrl: null,
    presets: [window.SwaggerUIBundle.presets.apis],
    plugins: [plain],
    layout: "BaseLayout",
    requestInterceptor: function (request) {
      if (request.headers[header] === place.dataset.exampleKey) {
        const random = window.crypto.getRandomValues(new Uint32Array(4));
        request.headers[header] = "try-" + Array.from(random, (n) => n.toString(36)).join("");
      }
      return request;
    },
  });
})();
