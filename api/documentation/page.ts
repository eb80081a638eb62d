import { createHash } from "node:crypto";

import type {
  OpenApiContent,
  OpenApiDocument,
  OpenApiOperation,
  OpenApiParameter,
  OpenApiResponse,
} from "./document.ts";
import { Html, html, prose } from "./html.ts";

const style = `
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem; }
code, pre { font-family: ui-monospace, monospace; font-size: 0.9em; }
pre { background: color-mix(in srgb, currentColor 8%, transparent); overflow: auto; padding: 0.5rem; }
details { border-top: 1px solid color-mix(in srgb, currentColor 25%, transparent); padding: 0.4rem 0; }
summary { cursor: pointer; }
.method { display: inline-block; font-weight: bold; min-width: 5rem; }
.prose { white-space: pre-line; }
table { border-collapse: collapse; width: 100%; }
td, th { padding: 0.2rem 0.6rem 0.2rem 0; text-align: left; vertical-align: top; }
`;

/** Made apart from the page, so that its text is to the letter what is hashed below. */
const styleElement = new Html(`<style>${style}</style>`);

/**
 * The content security policy of the page: its own style and nothing else. It has no script and
 * names no other address.
 */
export const pagePolicy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** A page that shows an OpenAPI document whole, for reading. */
export function documentationPage(document: OpenApiDocument): string {
  const { info, tags = [] } = document;
  const operations = operationsOf(document);
  const sections = tags.map(({ name, description = "" }) => {
    const own = operations.filter(({ operation }) => operation.tags?.includes(name));
    return html`<section id="${name}">
      <h2>${name}</h2>
      ${prose(description)} ${own.map(operationHtml)}
    </section> `;
  });
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${info.title} API</title>
        ${styleElement}
      </head>
      <body>
        <h1>${info.title} API ${info.version}</h1>
        ${prose(info.description ?? "")}
        <p>The same for programs: <a href="/openapi.json">/openapi.json</a></p>
        ${sections}
      </body>
    </html> `;
  return page.text;
}

interface Listed {
  readonly method: string;
  readonly path: string;
  readonly operation: OpenApiOperation;
}

const operationsOf = ({ paths = {} }: OpenApiDocument): readonly Listed[] =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  );

function operationHtml({ method, path, operation }: Listed): Html {
  const { summary = "", description, parameters = [], requestBody, responses = {} } = operation;
  return html`<details>
    <summary>
      <code class="method">${method.toUpperCase()}</code><code>${path}</code> ${summary}
    </summary>
    ${description === undefined ? "" : prose(description)}
    ${parameters.length === 0 ? "" : parametersHtml(parameters)}
    ${
      requestBody?.content === undefined
        ? ""
        : html`<h4>Body</h4>
            ${contentHtml(requestBody.content)}`
    }
    <h4>Answers</h4>
    ${Object.entries(responses).map(([status, response]) => responseHtml(status, response))}
  </details> `;
}

function parametersHtml(parameters: readonly OpenApiParameter[]): Html {
  const rows = parameters.map(
    (given) =>
      html`<tr>
        <td><code>${given.name}</code></td>
        <td>${given.in}${given.required === true ? ", required" : ""}</td>
        <td>${prose(given.description ?? "")}</td>
        <td><code>${JSON.stringify(given.schema)}</code></td>
      </tr> `,
  );
  return html`<h4>Parameters</h4>
    <table>
      ${rows}
    </table>`;
}

function responseHtml(status: string, response: OpenApiResponse): Html {
  const { description = "", headers = {}, content } = response;
  const rows = Object.entries(headers).map(
    ([name, header]) =>
      html`<tr>
        <td><code>${name}</code></td>
        <td>${header.description ?? ""}</td>
      </tr>`,
  );
  return html`<h5>${status}</h5>
    ${prose(description)}
    ${
      rows.length === 0
        ? ""
        : html`<table>
            ${rows}
          </table>`
    }
    ${content === undefined ? "" : contentHtml(content)} `;
}

function contentHtml(content: OpenApiContent): Html {
  const medias = Object.entries(content).map(
    ([media, { schema }]) =>
      html`<details>
        <summary><code>${media}</code></summary>
        <pre>${JSON.stringify(schema, undefined, 2)}</pre>
      </details> `,
  );
  return html`${medias}`;
}
