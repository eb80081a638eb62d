/** The template library, served beside the page's own files. */
export * from "lit-html";
