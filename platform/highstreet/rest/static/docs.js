"use strict";
// Shows the OpenAPI document. An Idempotency-Key that is left at its example becomes a new one for
// each try, or the second try would be answered with the first one's answer.
(function () {
  const place = document.getElementById("swagger-ui");
  const header = "Idempotency-Key";
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
