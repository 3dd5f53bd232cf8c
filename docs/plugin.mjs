// What TypeDoc doesn't do by itself: documents are called by their first heading, not by their file, and the build fails where
// a function, class or method of the package has no docstring, or none with an example.
import { Converter, ReflectionKind } from 'typedoc';

const CALLABLE = ReflectionKind.FunctionOrMethod | ReflectionKind.Class;

export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_, document) => {
    const [first] = document.content;
    const heading = /^# (.+)\n/.exec(first?.text ?? '');
    if (!heading) return;
    document.name = heading[1];
    first.text = first.text.slice(heading[0].length);
  });

  app.converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => {
    // The page has its title already.
    const [readme] = project.readme ?? [];
    if (readme) readme.text = readme.text.replace(/^# .+\n/, '');
    for (const reflection of project.getReflectionsByKind(
      CALLABLE | ReflectionKind.Variable | ReflectionKind.SomeType,
    )) {
      if (
        reflection.flags.isExternal ||
        reflection.kindOf(ReflectionKind.TypeParameter) ||
        reflection.name.startsWith('__')
      )
        continue;
      const comments = [reflection.comment, ...(reflection.signatures ?? []).map(({ comment }) => comment)];
      const name = reflection.getFullName();
      if (!comments.some((comment) => comment?.summary.length > 0)) app.logger.error(`${name} has no docstring`);
      else if (reflection.kindOf(CALLABLE) && !comments.some((comment) => comment?.getTag('@example')))
        app.logger.error(`the docstring of ${name} has no example`);
    }
  });
}
