// Draws the OpenAPI document with Swagger UI: to read, and to send requests with a pasted token.

// Swagger UI writes the descriptions' Markdown as HTML. Only marks without attributes are let in as
// such; anything else is shown as the text that it is.
const MARKS = /^(?:[^<]|<\/?(?:p|br|em|i|strong|code|pre|ul|ol|li|span|div)>)*$/;
const shown = (html) => html.replace(/[&<>]/g, (one) => `&#${one.codePointAt(0)};`);

globalThis.trustedTypes?.createPolicy("default", {
  createHTML: (html) => (MARKS.test(html) ? html : shown(html)),
});

addEventListener("DOMContentLoaded", () =>
  SwaggerUIBundle({
    url: "v1/openapi.json",
    dom_id: "#reference",
    deepLinking: true,
    displayRequestDuration: true,
    validatorUrl: null,
  }),
);
