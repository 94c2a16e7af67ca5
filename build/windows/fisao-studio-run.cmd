@echo off
rem Runs jobs without a window: plain Node with the engine that FiSAO Studio has.
setlocal
set NODE_OPTIONS=
set NODE_PATH=
"%~dp0node.exe" "%~dp0resources\app.asar.unpacked\out\headless\run.js" %*
exit /b %ERRORLEVEL%
