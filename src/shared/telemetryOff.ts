// The one switch that ONNX Runtime's own telemetry looks at. Before it: nothing; after it: ortSession.ts, which
// sets it before it loads the library, and everything that starts a process.

/**
 * Since version 1.29 the library that Microsoft publishes reports each session to mobile.events.data.microsoft.com
 * unless this says otherwise before its environment is created; then it makes no uploader at all, and with it go the
 * device id, the event database and the debug logs. The Windows build has no such uploader and no such switch: there
 * it hands its events to Windows (ETW), which sends them or not as its own privacy settings say.
 */
export const telemetryOff = { ORT_DISABLE_TELEMETRY: '1' } as const

/** On a build server the uploader keeps quiet by itself: a check that means to see it takes these away first. */
export const silencedOnBuildServers: readonly string[] = [
  ...['CI', 'TF_BUILD', 'GITHUB_ACTIONS', 'GITLAB_CI', 'CIRCLECI', 'TRAVIS', 'JENKINS_URL', 'CODEBUILD_BUILD_ID'],
  ...['BUILDKITE', 'TEAMCITY_VERSION', 'APPVEYOR', 'BITBUCKET_BUILD_NUMBER', 'ORT_RUNNING_UNIT_TESTS'],
]
