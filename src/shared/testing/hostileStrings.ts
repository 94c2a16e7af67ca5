// More than three hundred texts that break out of markup, styles, addresses, file systems, layouts or formats where a program is
// careless: as captions and as names of files, models, runs and tags, for tests of every view, export and report. Whatever
// of it runs as a script calls `hostile()` or `alert()`, which a test can catch.

const run = 'hostile(1)'

const scripts = [
  ...[`<script>${run}</script>`, `<SCRIPT>${run}</SCRIPT>`, `<script src="data:text/javascript,${run}"></script>`],
  ...[
    `<script>alert(1)</script>`,
    `"><script>${run}</script>`,
    `'><script>${run}</script>`,
    `</title><script>${run}</script>`,
  ],
  ...[`</style><script>${run}</script>`, `</textarea><script>${run}</script>`, `--><script>${run}</script>`],
  ...[`]]><script>${run}</script>`, `<scr<script>ipt>${run}</scr</script>ipt>`, `<script\n>${run}</script\n>`],
  ...[`<script/x>${run}</script>`, `<script\t>${run}</script>`, `<<script>${run}//<</script>`],
  ...[`<script type="module">${run}</script>`, `<script>${run}`, `<script>/*${run}*/${run}</script>`],
  ...[`\\u003cscript\\u003e${run}\\u003c/script\\u003e`, `&lt;script&gt;${run}&lt;/script&gt;`],
  ...[
    `&#60;script&#62;${run}&#60;/script&#62;`,
    `&#x3c;script&#x3e;${run}&#x3c;/script&#x3e;`,
    `%3Cscript%3E${run}%3C/script%3E`,
  ],
  ...[`＜script＞${run}＜/script＞`, `‹script›${run}‹/script›`, `+ADw-script+AD4-${run}+ADw-/script+AD4-`],
  ...[`<noscript><p title="</noscript><img src=x onerror=${run}>">`, `<template><script>${run}</script></template>`],
  `<math><mtext><table><mglyph><style><img src=x onerror=${run}></style></mglyph></table></mtext></math>`,
]

const events = [
  ...[
    'img src=x onerror',
    'svg onload',
    'body onload',
    'video src=x onerror',
    'audio src=x onerror',
    'input autofocus onfocus',
  ],
  ...['details open ontoggle', 'marquee onstart', 'iframe onload', 'object data=x onerror', 'select autofocus onfocus'],
  ...['textarea autofocus onfocus', 'div onpointerenter', 'a href=# onclick', 'button onfocus', 'style onload'],
].flatMap((tag) => [`<${tag}=${run}>`, `"><${tag}="${run}"`, `'><${tag}='${run}' x='`])

const attributes = [
  ...[`" onmouseover="${run}`, `' onmouseover='${run}`, `\` onmouseover=\`${run}`, `" autofocus onfocus=${run} x="`],
  ...[`x" style="position:fixed;inset:0" y="`, `x' style='width:99999px' y='`, `" data-index="0" aria-label="`],
  ...[`" href="javascript:${run}`, `" srcdoc="<script>${run}</script>`, `"/><img/src/onerror=${run}>`],
]

const addresses = [
  ...[`javascript:${run}`, `JaVaScRiPt:${run}`, `java\tscript:${run}`, `\u0001javascript:${run}`, ` javascript:${run}`],
  ...[`data:text/html,<script>${run}</script>`, `data:text/html;base64,PHNjcmlwdD5ob3N0aWxlKDEpPC9zY3JpcHQ+`],
  ...[
    `vbscript:${run}`,
    'file:///etc/passwd',
    '//evil.example/x.js',
    'https://evil.example/?q=1',
    'http://127.0.0.1:1/',
  ],
  ...[
    'app://studio/index.html',
    'studio-image://key/full/1',
    'blob:null/1',
    'ftp://evil.example',
    '\\\\evil.example\\share',
  ],
  ...[
    `<a href="javascript:${run}">x</a>`,
    '<base href="https://evil.example/">',
    '<meta http-equiv=refresh content="0;url=//x">',
  ],
  ...['<link rel=stylesheet href=//evil.example>', '<link rel=dns-prefetch href=//evil.example>'],
  ...[
    `<iframe src="javascript:${run}">`,
    `<form action="javascript:${run}"><button>x`,
    `<embed src="data:text/html,${run}">`,
  ],
]

const styles = [
  ...['</style><h1>x</h1>', '<style>*{display:none}</style>', '<style>@import "//evil.example"</style>'],
  ...['"}body{display:none}', "'}*{position:fixed}", 'red;background:url(//evil.example)', 'expression(alert(1))'],
  ...[
    'url("javascript:alert(1)")',
    '-moz-binding:url(x)',
    '\\3c script\\3e',
    '/* x',
    '*/ body{color:red} /*',
    'var(--text)',
  ],
  ...[
    '100vw',
    'calc(1px * 99999)',
    '<div style="width:99999px;height:99999px">',
    '<div style=position:fixed;inset:0;z-index:9>x',
  ],
]

const drawings = [
  `<svg><script>${run}</script></svg>`,
  `<svg><a xlink:href="javascript:${run}"><text>x</text></a></svg>`,
  `<svg><animate onbegin=${run} attributeName=x dur=1s>`,
  `<svg><set attributeName=onmouseover to=${run}>`,
  `<svg><foreignObject><iframe srcdoc="<script>${run}</script>"></foreignObject></svg>`,
  `<svg><use href="data:image/svg+xml,<svg id=x><script>${run}</script></svg>#x">`,
  '<svg width=99999 height=99999><rect width=99999 height=99999 /></svg>',
  `<svg><style>@import "javascript:${run}"</style></svg>`,
  '</svg></figure></section></main><h1>out</h1>',
  '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>&a;',
  '<?xml version="1.0"?><x/>',
  '<![CDATA[x]]>',
]

const templates = [
  ...[
    `$\{${run}}`,
    `\`$\{${run}}\``,
    '{{hostile(1)}}',
    '{{constructor.constructor("hostile(1)")()}}',
    '<%= hostile(1) %>',
  ],
  ...[
    '#{hostile(1)}',
    '[[hostile(1)]]',
    '{%raw%}',
    '$(hostile)',
    '`hostile`',
    '$$',
    '$&',
    "$'",
    '$`',
    '$1',
    '\\0',
    '\\n',
    '\\u{0}',
  ],
  ...['%s', '%d%d%d%d', '%n%n%n', '%x', '%%', '%', '%c color:red', '%99999999s', '%(name)s', '{0}', '{name}', '{', '}'],
]

const data = [
  ...[
    "'; DROP TABLE run; --",
    '" OR ""="',
    "' OR 1=1 --",
    'Robert"); DELETE FROM image; --',
    '* NEAR "x"',
    '"unclosed',
  ],
  ...[
    '=HYPERLINK("//evil.example")',
    '=1+1',
    '@SUM(1)',
    '+1',
    '-1',
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
  ],
  ...[
    'null',
    'undefined',
    'NaN',
    'true',
    '[object Object]',
    '0',
    '-0',
    '1e999',
    '{"a":1}',
    '[1',
    '\\',
    '"',
    "'",
    '<',
    '>',
    '&',
    ';',
  ],
  ...['&amp;', '&nbsp;', '&#0;', '&unknown;', '&lt', '<!--', '-->', '</', '<a', '# h', '**b**', '![x](//evil.example)'],
]

const paths = [
  ...[
    '../../../etc/passwd',
    '..\\..\\windows\\system32',
    '/dev/null',
    '/',
    '.',
    '..',
    '~',
    'C:\\',
    'con',
    'NUL.html',
    'aux.pdf',
  ],
  ...[
    'a/b',
    'a\\b',
    'a:b',
    'a*b?',
    '.hidden',
    'dot.',
    'space ',
    ' leading',
    'a\nb',
    'a\tb',
    'a\rb',
    '-rf',
    '--help',
    '|cat',
    '> x',
  ],
]

const characters = [
  ...[
    '\u0000',
    'a\u0000b',
    '\u0001\u0002\u0003',
    '\u0007',
    '\u001b[31mred\u001b[0m',
    '\u007f',
    '\u0085',
    '\u009b',
    '\ufeff',
    '\ufffe',
    '\uffff',
  ],
  ...[
    '\ud800',
    '\udc00',
    'a\ud83d',
    '\ude00a',
    '\udc00\ud800',
    'x\udbff',
    '\u2028',
    '\u2029',
    '\u200b\u200b',
    '\u00ad',
  ],
  ...[
    '\u202egpj.exe',
    '\u202e',
    '\u202d',
    '\u202aa\u202c',
    '\u2066x',
    '\u2067abc\u2069',
    '\u2068',
    '\u200f',
    '\u061c',
    'a\u202eb\u202ec',
  ],
  ...['שלום abc', 'مرحبا (123)', 'مرحبا\u202e<b>', 'Ελληνικά', '中文字符', 'ไทยไม่มีวรรค', '한국어', 'हिन्दी'],
  ...['😀', '👩‍👩‍👧‍👦', '🏳️‍🌈', '🇩🇪🇫🇷', '👍🏿', '❤️', '1️⃣', '🫠'],
  ...['раypal', 'аdmin', 'ɡrounded', 'Ηallucinated', '𝐬𝐜𝐫𝐢𝐩𝐭', 'ﬁle', 'e\u0301', 'ｆｕｌｌ'],
  ...[`z${'\u0336\u0310\u0489'.repeat(60)}`, 'a\u0300'.repeat(100), '﷽﷽﷽', '𒐫𒐫𒐫', 'ᄀ'.repeat(40)],
]

const long = [
  ...['w'.repeat(1000), 'W '.repeat(600), 'i'.repeat(5000), '<b>'.repeat(400), '&'.repeat(2000), '"'.repeat(1000)],
  ...['-'.repeat(1000), '/'.repeat(1000), '\u00a0'.repeat(500), '漢'.repeat(800), '😀'.repeat(300), '\n'.repeat(200)],
  ...['\u202e'.repeat(300), '\u0000'.repeat(300), '(((('.repeat(200), '</div>'.repeat(200)],
]

/** All of them, every one different. */
export const hostileStrings: readonly string[] = [
  ...[...scripts, ...events, ...attributes, ...addresses, ...styles, ...drawings],
  ...[...templates, ...data, ...paths, ...characters, ...long],
]
