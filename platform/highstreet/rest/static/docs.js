"use strict";
// Shows the OpenAPI document. "Try it out" gives each POST an Idempotency-Key of its own.
(function () {
  const place = document.getElementById("swagger-ui");
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
  });
})();
