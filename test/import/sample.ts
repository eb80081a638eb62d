import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";

/** The real files, where they lie beside the project. */
export const realFolder = resolve("..", "shared", "data", "oulad");
export const hasRealFiles = existsSync(join(realFolder, "studentRegistration.csv"));

interface SampleOptions {
  readonly modules: readonly string[];
  readonly studentsPerModule: number;
}

/** Writes a small made-up dataset with the faults of the real one. */
export async function writeSample(folder: string, options: SampleOptions): Promise<void> {
  await mkdir(folder, { recursive: true });
  const courses = options.modules.map((code) => {
    const [module, presentation] = code.split("-");
    return `"${module}","${presentation}","260"`;
  });
  const rows = options.modules.flatMap((code, m) => registrationsOf(code, m, options));
  const heading = '"code_module","code_presentation","id_student",';
  await writeFile(
    join(folder, "courses.csv"),
    ['"code_module","code_presentation","module_presentation_length"', ...courses, ""].join("\r\n"),
  );
  await writeFile(
    join(folder, "studentRegistration.csv"),
    [`${heading}"date_registration","date_unregistration"`, ...rows, ""].join("\r\n"),
  );
}

function registrationsOf(code: string, m: number, options: SampleOptions): string[] {
  const [module, presentation] = code.split("-");
  return Array.from({ length: options.studentsPerModule }, (_, n) => {
    const student = 1_000 + ((n * 7 + m * 3) % (options.studentsPerModule * 2));
    const registered = -((n * 13) % 40);
    const withdrawn = n % 3 === 0 ? String(registered + ((n * 5) % 60)) : "";
    const date = n % 17 === 16 ? "" : String(registered);
    return `"${module}","${presentation}","${student}","${date}","${withdrawn}"`;
  });
}
